import { afterAll, beforeAll, describe } from '@jest/globals';
import { memoryStore } from '../../../support/memory-store.ts';
import { storeContract } from '../../../support/store-contract.ts';
import { startTables, type Tables } from '../../../support/tables.ts';

describe('the store in memory', () => {
  const store = memoryStore();
  storeContract(() => store);
});

describe('the store on tables', () => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await startTables();
  });
  afterAll(() => tables.stop());
  storeContract(() => tables.store);
});
