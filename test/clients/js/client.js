// Runs MQTT.js as test/clients tells it: a JSON object on standard input, a JSON object a line on standard output. It does
// what it is told and says what happened; the Go side judges.
'use strict';

const fs = require('fs');
const mqtt = require('mqtt');

let all = '';
const say = (name, what, rest) => { all += JSON.stringify({ name, what, ...rest }) + '\n'; };
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

function dial(job, more) {
  return mqtt.connect(job.url, {
    clientId: job.name, protocolVersion: job.version, username: job.user, password: job.password,
    ca: job.ca ? fs.readFileSync(job.ca) : undefined, reconnectPeriod: 0, connectTimeout: 20000, ...more,
  });
}

function heard(client, list) {
  client.on('message', (topic, payload, packet) => {
    const p = packet.properties || {};
    list.push({
      topic, payload: base64(payload), qos: packet.qos,
      correlation: p.correlationData ? base64(p.correlationData) : '', response: p.responseTopic || '', user: p.userProperties || {},
    });
  });
  return list;
}

async function until(holds) {
  for (const end = Date.now() + 180000; !holds() && Date.now() < end;) await new Promise((go) => setTimeout(go, 5));
}

const jobs = {
  // Publishes what it is given, one after the other, to itself; answers what came.
  async echo(job) {
    const client = dial(job);
    const got = heard(client, []);
    await new Promise((go, no) => { client.once('connect', go); client.once('error', no); });
    const granted = await client.subscribeAsync(job.filter, { qos: 2 });
    const properties = job.version === 5
      ? { correlationData: Buffer.from([0, 1, 255]), responseTopic: 'other/answer', userProperties: { unit: ['°C', 'K'] } } : undefined;
    let acked = 0;
    for (const m of job.messages) {
      await client.publishAsync(m.topic, Buffer.from(m.payload, 'base64'), { qos: m.qos, properties });
      acked++;
    }
    await until(() => got.length >= job.messages.length);
    await client.endAsync();
    say(job.name, 'echo', { granted: granted[0].qos, acked, got });
  },

  // Subscribes with a session that stays, goes, lets another publish, and comes back.
  async away(job) {
    const session = { clean: false, properties: job.version === 5 ? { sessionExpiryInterval: 60 } : undefined };
    const first = dial(job, session);
    await new Promise((go, no) => { first.once('connect', go); first.once('error', no); });
    await first.subscribeAsync(job.filter, { qos: 2 });
    first.stream.destroy(); // without a DISCONNECT
    await until(() => !first.connected);
    const other = dial(job, { clientId: job.name + '-other' });
    let acked = 0;
    for (const m of job.messages) {
      await other.publishAsync(m.topic, Buffer.from(m.payload, 'base64'), { qos: m.qos });
      acked++;
    }
    const second = dial(job, session);
    const got = heard(second, []);
    const ack = await new Promise((go, no) => { second.once('connect', go); second.once('error', no); });
    await until(() => got.length >= job.messages.length);
    await Promise.all([second.endAsync(), other.endAsync()]);
    say(job.name, 'away', { present: ack.sessionPresent, acked, got });
  },

  // Has a will and vanishes; another hears of it.
  async will(job) {
    const m = job.messages[0];
    const heir = dial(job, { clientId: job.name + '-heir' });
    const got = heard(heir, []);
    await heir.subscribeAsync(job.filter, { qos: 2 });
    const gone = dial(job, { will: { topic: m.topic, payload: Buffer.from(m.payload, 'base64'), qos: m.qos, retain: false } });
    await new Promise((go, no) => { gone.once('connect', go); gone.once('error', no); });
    gone.stream.destroy();
    await until(() => got.length >= 1);
    await heir.endAsync();
    say(job.name, 'will', { acked: 1, got });
  },

  // Tries to connect, to publish and to subscribe; says how that was refused.
  async refused(job) {
    const client = dial(job);
    const refusals = [];
    const note = (e) => refusals.push(`${e.code || 0} ${e.message}`);
    await new Promise((go) => { client.once('connect', go); client.once('error', (e) => { note(e); go(); }); });
    if (client.connected) {
      await client.publishAsync(job.messages[0].topic, 'x', { qos: 1 }).catch(note);
      await client.subscribeAsync(job.filter, { qos: 1 }).catch(note);
    }
    client.end(true);
    say(job.name, 'refused', { refusals });
  },
};

(async () => {
  const given = JSON.parse(fs.readFileSync(0, 'utf8'));
  await Promise.all(given.map((job) => jobs[job.do](job).catch((e) => say(job.name, 'failed', { error: String(e && e.stack || e) }))));
  process.stdout.write(all, () => process.exit(0)); // also if a client is left over
})();
