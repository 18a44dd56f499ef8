import { expect, test } from 'vitest';
import { datetimePatternProblem } from '../../../bucketing/datetime-pattern-check.ts';

test.each([
  'yyyy-MM-dd--HH',
  "'dt='yyyy-MM-dd/'hour='HH",
  'yyyy/MM/dd/HH-mm',
  "'at 'h a",
  "'o''clock='HH",
  'RRRR-II',
])('%s is a pattern', (pattern) => {
  expect(datetimePatternProblem(pattern)).toBeNull();
});

test.each([
  ['dt=yyyy-MM-dd', /text stands in quotes: write 'dt=' with them/],
  ['yyyy/month=MM', /write 'month='/],
  ['yyyy-mm-dd', /mm are minutes/],
  ["'hour='hh", /write HH/],
  ['%Y-%m-%d', /strftime/],
  ['YYYY-MM-dd', /write yyyy/],
  ['yyyy-MM-DD', /write dd/],
  ['yyyy-MM-ddTHH', /t and T/],
])('%s is meant otherwise', (pattern, problem) => {
  expect(datetimePatternProblem(pattern)).toMatch(problem);
});
