/** One JSON array of objects a file. */
import type { InputFormat } from '../../lib/core/decoder.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { corrupt } from '../corrupt.ts';
import { inferFromJson, inferSchemaFromJson } from '../inference/infer-json.ts';
import { JsonArrayDecoder } from './decoder.ts';
import { type ArrayPlace, ElementScanner, skipBetween } from './elements.ts';

export function jsonInput(_spec: Extract<InputFormatSpec, { type: 'json' }>): InputFormat {
  return {
    type: 'json',
    splittable: false,
    createDecoder: (options) => new JsonArrayDecoder(options),
    recordState: { place: 'comma' satisfies ArrayPlace },
    inferSchema: (samples) => inferSchemaFromJson(samples.map(({ bytes }) => asLines(bytes))),
    explainSchema: (samples) => inferFromJson(samples.map(({ bytes }) => asLines(bytes))).evidence,
  };
}

/** The whole elements of a sample, each on a line. */
function asLines(sample: Uint8Array): Uint8Array {
  const hasMark = sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf;
  const lines = new Uint8Array(sample.length * 2);
  const scanner = new ElementScanner();
  let place: ArrayPlace = 'start';
  let written = 0;
  for (let at = hasMark ? 3 : 0; ; ) {
    const between = skipBetween(sample, at, sample.length, place);
    // Behind whole elements damage is the reader's affair.
    if (between.damage !== null && written === 0) corrupt(between.damage);
    if (!between.isElement) break;
    const end = scanner.scan(sample, between.at, sample.length, lines, written);
    if (end === -1) break;
    written += end - between.at;
    lines[written++] = 10;
    place = 'behind';
    at = end;
  }
  return lines.subarray(0, written);
}
