/** How a CSV file is to be read. */
import type { InputFormatSpec } from '../../lib/core/specs.ts';

export type CsvSpec = Extract<InputFormatSpec, { type: 'csv' }>;
