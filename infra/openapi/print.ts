/** Writes the description of the API to standard output: `npm run -s openapi > openapi.json`. */
import { openApiDocument } from './document.ts';

process.stdout.write(`${JSON.stringify(openApiDocument(), null, 2)}\n`);
