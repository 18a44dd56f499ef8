/** Preloaded into each thread (`node -r`): says on standard error of which chunks the compiled code was taken. */
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { isMainThread } = require('node:worker_threads');

vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options);
    if (options.cachedData === undefined) return;
    const name = path.basename(options.filename).replace(/-.{8}\.cjs$/, '');
    const thread = isMainThread ? 'main' : 'subtask';
    fs.writeSync(2, `${thread} ${name} ${this.cachedDataRejected ? 'rejected' : 'taken'}\n`);
  }
};
