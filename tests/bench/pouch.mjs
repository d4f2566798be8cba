// The other end of bench_drain: PouchDB on LevelDB, every write of it synced to disk.
//
//   node pouch.mjs serve FOLDER            an express-pouchdb server over FOLDER; prints its port
//   node pouch.mjs push FOLDER URL BATCH   documents from standard input, a line of JSON each, into a database in FOLDER; then
//                                          db.replicate.to(URL) in batches of BATCH, and a line of JSON that says how that went
//
// PouchDB has no option for it, so LevelDB's own write option `sync` is set on every put, delete and batch where they enter leveldown.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const express = require("express");
const expressPouch = require("express-pouchdb");
const leveldown = require("leveldown");
const PouchDB = require("pouchdb");

const LOADED_AT_ONCE = 1000;

function synced(prototype, name) {
  const write = prototype[name];
  prototype[name] = function (...given) {
    const [options] = given.splice(-2, 1); // the last two are always the options and the callback
    given.splice(-1, 0, { ...options, sync: true });
    return write.apply(this, given);
  };
}

for (const name of ["_put", "_del", "_batch"]) synced(leveldown.prototype, name);
synced(require("leveldown/chained-batch").prototype, "_write");

function serve(folder) {
  const Served = PouchDB.defaults({ prefix: join(folder, "/"), db: leveldown });
  const app = express().use(expressPouch(Served, { mode: "minimumForPouchDB", inMemoryConfig: true }));
  const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

async function load(db) {
  let waiting = [];
  const put = async () => {
    for (const { error, id } of await db.bulkDocs(waiting)) if (error) throw new Error(`${id} was not stored: ${error}`);
    waiting = [];
  };
  for await (const line of createInterface({ input: process.stdin })) {
    waiting.push(JSON.parse(line));
    if (waiting.length === LOADED_AT_ONCE) await put();
  }
  if (waiting.length) await put();
}

async function push(folder, url, batch) {
  const local = new PouchDB(join(folder, "facts"), { db: leveldown });
  const remote = new PouchDB(url);
  await remote.info(); // the database is made before the clock runs
  await load(local);
  const begin = performance.now();
  const done = await local.replicate.to(remote, { batch_size: batch });
  const seconds = (performance.now() - begin) / 1000;
  const { doc_count } = await remote.info();
  console.log(JSON.stringify({ seconds, ok: done.ok, written: done.docs_written, there: doc_count }));
  await local.close();
}

const [what, folder, url, batch] = process.argv.slice(2);
if (what === "serve") serve(folder);
else await push(folder, url, Number(batch));
