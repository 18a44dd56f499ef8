import { fileURLToPath } from 'node:url';
import type { Candidate } from './candidate.ts';

const RUN = fileURLToPath(new URL('copy-run.mjs', import.meta.url));

/** cp and fsync: what no program that moves all bytes can be faster than. */
export function copy(): Candidate {
  return {
    name: 'cp + fsync',
    versus: null,
    makesLake: false,
    prepare: async (folder, input) => {
      if (input === null) throw new Error('copying needs an input');
      return [RUN, input.folder, `${folder}/lake`];
    },
  };
}
