// Drives yaml-language-server over stdio. Reads one job from standard input, writes one answer:
//   {server, root, schemas: {schema: glob}, documents: [{name, text}], asks: [{document, line, character, hover}]}
//   {diagnostics: {name: [message]}, answers: [[{label, documentation, text}] | hover text]}
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const job = JSON.parse(readFileSync(0, 'utf8'));
const server = spawn(process.execPath, [job.server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
const uri = (name) => `${pathToFileURL(job.root)}/${name}`;
const settings = {
  yaml: {
    schemas: Object.fromEntries(Object.entries(job.schemas).map(([schema, glob]) => [uri(schema), `**/${glob}`])),
    schemaStore: { enable: false },
    validate: true,
    completion: true,
    hover: true,
    yamlVersion: '1.2',
  },
};

let last = 0;
const pending = new Map();
const published = new Map();
let publish = () => {};

function send(message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function request(method, params) {
  const id = ++last;
  send({ id, method, params });
  return new Promise((resolve) => pending.set(id, resolve));
}

function receive(message) {
  if (message.method === 'workspace/configuration') {
    const result = message.params.items.map(({ section }) => (section === 'yaml' ? settings.yaml : null));
    send({ id: message.id, result });
  } else if (message.method === 'textDocument/publishDiagnostics') {
    published.set(message.params.uri, message.params.diagnostics.map((one) => one.message));
    publish();
  } else if (message.id !== undefined && message.method) {
    send({ id: message.id, result: null });
  } else if (message.id !== undefined) {
    pending.get(message.id)?.(message.result ?? { failed: message.error });
    pending.delete(message.id);
  }
}

setTimeout(() => {
  process.stderr.write('the language server did not answer in two minutes\n');
  process.exit(1);
}, 120_000).unref();

let buffer = Buffer.alloc(0);
server.stdout.on('data', (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString('latin1', 0, end))[1]);
    if (buffer.length < end + 4 + length) return;
    const body = buffer.toString('utf8', end + 4, end + 4 + length);
    buffer = buffer.subarray(end + 4 + length);
    receive(JSON.parse(body));
  }
});

function open({ name, text }) {
  const textDocument = { uri: uri(name), languageId: 'yaml', version: 1, text };
  send({ method: 'textDocument/didOpen', params: { textDocument } });
}

function until(holds) {
  return new Promise((resolve) => {
    publish = () => holds() && resolve();
    publish();
  });
}

async function ask({ document, line, character, hover }) {
  const params = { textDocument: { uri: uri(document) }, position: { line, character } };
  const words = (value) => (typeof value === 'string' ? value : (value?.value ?? ''));
  if (hover) {
    const answer = await request('textDocument/hover', params);
    return words(answer?.contents);
  }
  const answer = await request('textDocument/completion', params);
  return (answer.items ?? answer).map((item) => ({
    label: item.label,
    documentation: words(item.documentation),
    text: item.insertText ?? item.textEdit?.newText ?? '',
  }));
}

await request('initialize', {
  processId: process.pid,
  rootUri: uri(''),
  capabilities: {
    workspace: { configuration: true },
    textDocument: {
      completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown'] } },
      hover: { contentFormat: ['markdown'] },
      publishDiagnostics: {},
    },
  },
});
send({ method: 'initialized', params: {} });
send({ method: 'workspace/didChangeConfiguration', params: { settings } });
// What is opened before the settings have arrived is judged without a schema: this one has a fault
// that only a schema finds.
open({ name: 'spec/probe.yaml', text: 'no: field\n' });
await until(() => published.get(uri('spec/probe.yaml'))?.length);
job.documents.forEach(open);
await until(() => job.documents.every(({ name }) => published.has(uri(name))));
const answers = [];
for (const one of job.asks) answers.push(await ask(one));
const diagnostics = Object.fromEntries(job.documents.map(({ name }) => [name, published.get(uri(name))]));
process.stdout.write(`${JSON.stringify({ diagnostics, answers })}\n`, () => process.exit(0));
