// Runs before `npm start` and `npm test`, on whatever Node is there: says in one line what to do when it is too old. Plain JavaScript, so that it can.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Node ${process.versions.node} found, 24 or newer needed. Run "npm ci" without --omit=optional (it brings Node 24 on Linux x64 and arm64 and on Windows x64), or install Node 24.`,
  );
  process.exit(1);
}
