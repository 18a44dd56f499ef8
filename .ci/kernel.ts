/**
 * `npm run kernel`: compiles formats/kernel/assembly and writes formats/kernel/kernel-binary.ts. The binary is kept, so
 * that neither the build nor a user needs the compiler; a test compares the two.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const SOURCE = fileURLToPath(new URL('../formats/kernel/assembly/index.ts', import.meta.url));
const TARGET = fileURLToPath(new URL('../formats/kernel/kernel-binary.ts', import.meta.url));
/** No runtime: the kernel allocates nothing. One page of memory for its tables, the host adds what it needs. */
const OPTIONS = '-O3 --noAssert --runtime stub --enable simd,bulk-memory --initialMemory 1'.split(' ');
const LINE_CHARACTERS = 100;

/** The text of kernel-binary.ts. @throws Error what the compiler complains of */
export async function kernelBinary(): Promise<string> {
  let binary: Uint8Array | string | null = null;
  const { error, stderr } = await asc.main([SOURCE, ...OPTIONS, '--outFile', 'kernel.wasm'], {
    writeFile: (_name, contents) => {
      binary = contents;
    },
  });
  if (error !== null || binary === null) throw new Error(`${error?.message}\n${stderr.toString()}`);
  const base64 = Buffer.from(binary).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return `/** Made of assembly/ by \`npm run kernel\`. */\nexport const KERNEL_BINARY =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await kernelBinary());
