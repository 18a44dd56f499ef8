/** Writes what of the documentation is made from the sources; `npm run docs`. A test compares the files with them. */
import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../lib/config/json-schema.ts';
import { renderErrorReference } from '../lib/config/reference/error-reference.ts';
import { renderJobReference } from '../lib/config/reference/job-reference.ts';

const generated: Readonly<Record<string, string>> = {
  'job-file.md': renderJobReference(),
  'errors.md': renderErrorReference(),
  'job.schema.json': `${JSON.stringify(jsonSchema(), null, 2)}\n`,
};
for (const [name, text] of Object.entries(generated)) writeFileSync(new URL(name, import.meta.url), text);
