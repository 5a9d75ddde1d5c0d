import axios, { type AxiosInstance } from 'axios';
import type { Pair, PairStore } from './fetch.ts';

declare module 'axios' {
  interface AxiosRequestConfig {
    isRepeated?: boolean;
  }
}

/** @param renew one at a time, as above: the next pair, undefined where the session is over, throws where nobody knows */
export function withTokens(api: AxiosInstance, store: PairStore, renew: () => Promise<Pair | undefined>) {
  api.interceptors.request.use((config) => {
    const pair = store.read();
    if (pair !== undefined) config.headers.set('Authorization', `Bearer ${pair.access}`);
    return config;
  });
  api.interceptors.response.use(undefined, async (error: unknown) => {
    if (!axios.isAxiosError(error) || error.response?.status !== 401) throw error;
    const { config } = error;
    if (config === undefined || config.isRepeated === true) throw error;
    const now = store.read();
    const wasOld = config.headers.get('Authorization') !== `Bearer ${String(now?.access)}`;
    const next = wasOld ? now : await renew();
    if (next === undefined) throw error;
    return api({ ...config, isRepeated: true });
  });
}
