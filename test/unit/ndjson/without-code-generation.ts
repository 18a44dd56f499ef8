/** Run by json-suite.test.ts with --disallow-code-generation-from-strings: all ways of decoding, held against each other. */
import { isDeepStrictEqual } from 'node:util';
import { schemaOf } from '../../support/job.ts';
import { JSON_TEXTS } from './json-values.ts';
import { decodeBy, WAYS } from './ways.ts';

let forbidden = false;
try {
  new Function('');
} catch {
  forbidden = true;
}
if (!forbidden) throw new Error('this process may make code from strings');

const schema = schemaOf({ i: 'int64', d: 'float64', s: 'string', j: 'json', l: 'list<string>' });
const lines = JSON_TEXTS.filter((text) => !text.includes('\n')).flatMap((text) => [
  `{"i":${text},"d":1.5,"s":"x","j":{},"l":["a"]}`,
  `{"i":1,"d":${text},"s":"x","j":{},"l":["a"]}`,
  `{"i":1,"d":1.5,"s":${text},"j":{},"l":["a"]}`,
  `{"i":1,"d":1.5,"s":"x","j":${text},"l":["a"]}`,
  `{"i":1,"d":1.5,"s":"x","j":{},"l":[${text}]}`,
]);
const text = `${lines.join('\n')}\n`;
const [first, ...others] = Object.values(WAYS).map((way) => decodeBy(way, schema, text));
if (first === undefined || first.rows.length < 100) throw new Error('nothing was read');
for (const other of others) {
  if (!isDeepStrictEqual(other.rows, first.rows) || !isDeepStrictEqual(other.bad, first.bad)) {
    throw new Error('one way of decoding differs from another');
  }
}
console.log('the same');
