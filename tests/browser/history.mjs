// Histories to look at in a browser, as JSON Lines (docs/IMPORT.md); the same every time.
// Usage: node history.mjs shop|hostile|large [TESTS RUNS] > history.jsonl  (TESTS of shop and large alone)
const DAY = 86_400_000;
const END = Date.UTC(2026, 10, 25, 18);

// mulberry32: enough to make up test results with.
let state = 20261125;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let bits = Math.imul(state ^ (state >>> 15), state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
};
const pick = list => list[Math.floor(random() * list.length)];
const sha = n => (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(5);

const HOSTILE = [
  "<script>document.title = 'owned'</script>",
  '<img src=x onerror="document.title = \'owned\'">',
  '"><svg onload=alert(1)>',
  "</table></main></style><h1>gone</h1><!--",
  'abc\u202etxt.exe\u2066',
  'שלום_עולם', 'اختبار الدفع',
  '\u001b[31mred\u001b[0m\u0007',
  'x'.repeat(10_240),
  '{{ 7 * 7 }} ${alert(1)} &lt;b&gt;',
  '日本語のテスト 👩‍💻 naïve',
];

// Tests of a suite: name, place, rates of failing by chance.
const suite = count => {
  const areas = ['cart', 'checkout', 'search', 'account', 'mail', 'stock', 'tax', 'views', 'api', 'reports'];
  const verbs = ['adds', 'removes', 'rejects', 'renders', 'retries', 'sorts', 'keeps', 'sends', 'parses', 'rounds'];
  const nouns = ['an_empty_list', 'a_second_item', 'the_discount', 'a_late_payment', 'unicode_names', 'the_last_page',
    'a_closed_account', 'two_currencies', 'the_header', 'a_missing_file'];
  return Array.from({ length: count }, (_, n) => {
    const area = areas[n % areas.length];
    const name = `test_${verbs[Math.floor(n / 10) % 10]}_${nouns[Math.floor(n / 100) % 10]}_${n}`;
    return {
      test: { classname: `shop.tests.${area}.Test${area[0].toUpperCase()}${area.slice(1)}`, name, file: `shop/tests/${area}.py` },
      seconds: 0.004 * Math.exp(6 * random() ** 2),
      rate: n % 19 === 7 ? 0.02 + 0.2 * random() ** 2 : 0,
      retried: n % 3 === 0,
    };
  });
};

const FAILURES = [
  { type: 'TimeoutError', message: n => `gateway did not answer within ${n} s`, text: 'Traceback (most recent call last):\n  File "shop/pay.py", line 88, in charge\n    return self.gateway.post(order)\nTimeoutError: gateway did not answer' },
  { type: 'AssertionError', message: n => `assert ${n} == 3`, text: 'def test():\n>   assert len(cart) == 3\nE   assert 2 == 3' },
  { type: 'OSError', message: n => `[Errno 98] address in use: port ${8000 + n}`, text: 'OSError: [Errno 98] address in use' },
];

const result = (test, outcome, seconds, failure, attempts) => {
  const line = { ...test, outcome, duration: Number(seconds.toFixed(4)) };
  if (failure) Object.assign(line, failure);
  if (attempts) line.attempts = attempts;
  return line;
};

const run = (tests, n, runs, days, kind) => {
  const started = new Date(END - days * DAY + Math.floor(days * DAY * (n / runs))).toISOString();
  const change = n % 6 === 4;
  const outage = n === Math.floor(runs * 0.42);
  const results = tests.map((one, place) => {
    const fails = FAILURES[place % FAILURES.length];
    const failure = { type: fails.type, message: fails.message(1 + (n % 9)), text: fails.text };
    if (kind === 'hostile') Object.assign(failure, { type: pick(HOSTILE).slice(0, 200), message: pick(HOSTILE), text: pick(HOSTILE) });
    const slower = place % 23 === 5 && n > runs * 0.6 ? 2.4 : 1;
    const seconds = one.seconds * slower * (0.85 + 0.3 * random());
    // The fixes of the third quarter helped.
    const rate = one.rate * (n > runs * 0.7 && place % 2 === 0 ? 0.15 : 1);
    const broken = (place === 31 && n >= runs - 5) || (place === 57 && n > runs * 0.3 && n < runs * 0.38);
    if (outage && random() < 0.8) {
      return result(one.test, 'failed', seconds, { type: 'ConnectionError', message: 'database is down', text: 'ConnectionError: database is down' });
    }
    if (broken && !change) return result(one.test, 'failed', seconds, { type: 'AssertionError', message: 'assert total == 12', text: 'E assert total == 12' });
    if (random() < rate) {
      return one.retried
        ? result(one.test, 'passed', seconds, null, [{ outcome: 'failed', ...failure }, 'passed'])
        : result(one.test, 'failed', seconds, failure);
    }
    return result(one.test, place % 41 === 40 ? 'skipped' : 'passed', seconds);
  });
  return {
    started, results,
    branch: change ? `feature/${n % 5}` : 'main',
    revision: sha(Math.floor(n / 2)),
    build: String(1000 + n),
    url: `https://ci.example/builds/${1000 + n}`,
  };
};

const [kind = 'shop', count, length] = process.argv.slice(2);
const [tests, runs, days] = {
  shop: () => [suite(Number(count ?? 180)), Number(length ?? 160), 45],
  large: () => [suite(Number(count ?? 5000)), Number(length ?? 60), 30],
  hostile: () => [HOSTILE.map((name, n) => ({
    test: { classname: `evil.${n}`, name, file: 'shop/tests/<b>.py' },
    seconds: 0.1, rate: 0.3, retried: n % 2 === 0,
  })), 30, 10],
}[kind]();
const write = text => new Promise(done => process.stdout.write(text, done));
// Millions of results as lists: the place of a test, what became of it, seconds, the cause, all attempts.
const compact = line => ({
  ...line,
  results: line.results.map((one, place) => {
    const cause = one.message ?? one.attempts?.[0].message;
    return [place, one.outcome, one.duration, ...cause ? [cause] : [], ...one.attempts ? [one.attempts.map(attempt => attempt.outcome ?? attempt)] : []];
  }),
});
if (kind === 'large') await write(`${JSON.stringify({ type: 'meta', tests: tests.map(one => one.test) })}\n`);
for (let n = 0; n < runs; n++) {
  const line = run(tests, n, runs, days, kind);
  await write(`${JSON.stringify(kind === 'large' ? compact(line) : line)}\n`);
}
