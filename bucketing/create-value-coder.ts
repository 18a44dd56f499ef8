/** Which coder a partition column takes. */
import { type DataType, formatDataType } from '../lib/core/data-type.ts';
import { decimalFromWords } from '../lib/core/decimal.ts';
import { SluiceError } from '../lib/core/errors.ts';
import type { PartitionField } from '../lib/core/specs.ts';
import { NumberCoder, PeriodCoder, WordsCoder } from './number-coders.ts';
import { datePart, float32Text, MS_PER_DAY, timestampText } from './partition-text.ts';
import type { PartitionValues } from './partition-values.ts';
import { TextCoder } from './text-coder.ts';
import type { ValueCoder } from './value-coder.ts';

/** @throws SluiceError JOB_INVALID where the type cannot name folders, or the transform does not apply to it */
export function createValueCoder(field: PartitionField, type: DataType, values: PartitionValues): ValueCoder {
  const { transform } = field;
  if (transform !== 'value') {
    if (type.kind === 'timestamp') return new PeriodCoder(values, type.unit === 'ms' ? 1 : 1000, field);
    if (type.kind === 'date' && transform !== 'hour') {
      return new NumberCoder(values, (days) => datePart(days * MS_PER_DAY, field));
    }
    return unfit(
      field,
      type,
      `${transform} is taken of a timestamp${transform === 'hour' ? '' : ' or date'}`,
    );
  }
  switch (type.kind) {
    case 'string':
      return new TextCoder(values);
    case 'boolean':
      return new NumberCoder(values, (value) => (value === 1 ? 'true' : 'false'));
    case 'int32':
      return new NumberCoder(values, String);
    case 'float32':
      return new NumberCoder(values, float32Text);
    case 'float64':
      return new NumberCoder(values, String);
    case 'date':
      return new NumberCoder(values, (days) => datePart(days * MS_PER_DAY, { ...field, transform: 'date' }));
    case 'int64':
      return new WordsCoder(values, (column, row) => String(column.getBigInt(row)));
    case 'timestamp':
      return new WordsCoder(values, (column, row) => timestampText(column.getBigInt(row), type.unit, field));
    case 'decimal':
      return new WordsCoder(values, (column, row) => decimalFromWords(column.values, row * 4, type.scale));
    default:
      return unfit(field, type, 'partitions are of strings, numbers, booleans, dates and timestamps');
  }
}

function unfit(field: PartitionField, type: DataType, why: string): never {
  throw new SluiceError(
    'JOB_INVALID',
    `bucket field '${field.name}' cannot be made from column '${field.column}' of type ${formatDataType(type)}: ${why}`,
  );
}
