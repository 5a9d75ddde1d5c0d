import { jest } from '@jest/globals';

/** What an act gave, and every text it wrote to standard output meanwhile, none of which gets there. */
export async function logged<Value>(act: () => Promise<Value> | Value): Promise<{ value: Value; lines: string[] }> {
  const lines: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  try {
    return { value: await act(), lines };
  } finally {
    write.mockRestore();
  }
}

/** What an act gave, with its log lines kept from the output of the tests. */
export const quietly = async <Value>(act: () => Promise<Value> | Value): Promise<Value> => (await logged(act)).value;
