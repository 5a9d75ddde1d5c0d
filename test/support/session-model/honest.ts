import type { Flight } from './flight.ts';

export const explained = (_lost: Flight): boolean => false;
