/**
 * `npm run kernel`: compiles the modules of formats/kernel/assembly and writes them as text beside. The binaries are
 * kept, so that neither the build nor a user needs the compiler; a test compares source and binary.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

export interface KernelModule {
  /** In formats/kernel/assembly. */
  readonly entry: string;
  /** In formats/kernel. */
  readonly binary: string;
  readonly constant: string;
}

export const KERNEL_MODULES: readonly KernelModule[] = [
  { entry: 'index.ts', binary: 'kernel-binary.ts', constant: 'KERNEL_BINARY' },
  { entry: 'snappy.ts', binary: 'snappy-binary.ts', constant: 'SNAPPY_BINARY' },
];

const FOLDER = new URL('../formats/kernel/', import.meta.url);
/** No runtime: nothing is allocated. One page of memory for tables, the host adds what it needs. */
const OPTIONS = '-O3 --noAssert --runtime stub --enable simd,bulk-memory --initialMemory 1'.split(' ');
const LINE_CHARACTERS = 100;

export function binaryUrl({ binary }: KernelModule): URL {
  return new URL(binary, FOLDER);
}

/** The text of a module's binary file. @throws Error what the compiler complains of */
export async function binaryText({ entry, constant }: KernelModule): Promise<string> {
  const source = fileURLToPath(new URL(`assembly/${entry}`, FOLDER));
  let binary: Uint8Array | string | null = null;
  const { error, stderr } = await asc.main([source, ...OPTIONS, '--outFile', 'module.wasm'], {
    writeFile: (_name, contents) => {
      binary = contents;
    },
  });
  if (error !== null || binary === null) throw new Error(`${error?.message}\n${stderr.toString()}`);
  const base64 = Buffer.from(binary).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return `/** Made of assembly/${entry} by \`npm run kernel\`. */\nexport const ${constant} =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const module of KERNEL_MODULES) writeFileSync(binaryUrl(module), await binaryText(module));
}
