// The pages of `flakedb report --format html` in a real Chromium: read, searched, sorted, filtered, printed.
// Usage: node test.mjs FOLDER  (with shop.html, hostile.html, large.html; run.sh makes them)
// Prints a PASS or FAIL line for each check, and times, which are reported and not judged. Screenshots stay in FOLDER.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const folder = resolve(process.argv[2]);
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
let passed = 0, failed = 0;
const check = (name, holds, detail = '') => {
  if (holds) passed += 1; else failed += 1;
  console.log(`${holds ? 'PASS' : 'FAIL'}  ${name}${holds || detail === '' ? '' : `: ${detail}`}`);
};
const same = (name, found, wanted) => check(name, JSON.stringify(found) === JSON.stringify(wanted),
  `found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);

const profile = mkdtempSync(join(tmpdir(), 'flakedb-browser-'));
const opened = new Set();
const open = async (options = {}) => {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(profile, 'p-')), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, viewport: { width: 1280, height: 900 }, ...options,
  });
  opened.add(context);
  context.on('close', () => opened.delete(context));
  return context;
};

// A page, and everything that went wrong on it.
const visit = async (context, name) => {
  const page = await context.newPage();
  const url = pathToFileURL(join(folder, name)).href;
  const wrong = [];
  page.on('console', message => ['error', 'warning'].includes(message.type()) && wrong.push(`console: ${message.text()}`));
  page.on('pageerror', error => wrong.push(`error: ${error.message}`));
  page.on('dialog', dialog => { wrong.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  page.on('request', request => request.url() !== url && !request.url().startsWith('data:') && wrong.push(`request: ${request.url()}`));
  await page.addInitScript(() => {
    window.violations = [];
    addEventListener('securitypolicyviolation', event => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(url);
  return { page, wrong: async () => [...wrong, ...await page.evaluate(() => window.violations ?? [])] };
};

const accessible = async (name, page) => {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const told = violations.map(one => `${one.id} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 160)} ${one.nodes[0].failureSummary}`);
  check(`${name}: axe-core finds nothing`, told.length === 0, told.join('\n      '));
};

const visible = page => page.locator('#tests tbody#shown tr');
const firstName = async page => (await visible(page).first().locator('th').innerText()).trim();
const column = (page, place) => visible(page).evaluateAll((rows, at) => rows.map(row => row.cells[at]?.textContent.trim() ?? ''), place);

// How long something takes until the next frame is drawn, in the page's own clock.
const timed = (page, action, given) => page.evaluate(`(async () => {
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frame();
  const from = performance.now();
  (${action})(${JSON.stringify(given)});
  document.body.offsetHeight;
  const handled = performance.now() - from;
  await frame();
  return { handled, drawn: performance.now() - from };
})()`);
const TYPE = text => {
  const box = document.getElementById('search');
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
};
const CLICK = selector => document.querySelector(selector).click();
const tell = (what, { handled, drawn }) => console.log(`time  ${what}: ${handled.toFixed(1)} ms in the script and layout, ${drawn.toFixed(1)} ms until drawn`);

// Used by click and by keyboard.
const ordinary = async () => {
  for (const colorScheme of ['light', 'dark']) {
    const context = await open({ colorScheme });
    const { page, wrong } = await visit(context, 'shop.html');
    await accessible(`shop, ${colorScheme}`, page);
    await page.screenshot({ path: join(folder, `shop-${colorScheme}.png`), fullPage: true });
    if (colorScheme === 'light') await used(page);
    same(`shop, ${colorScheme}: no error, no warning, no request, nothing against the policy`, await wrong(), []);
    await context.close();
  }
  const context = await open({ viewport: { width: 400, height: 800 } });
  const { page } = await visit(context, 'shop.html');
  same('shop, 400 pixels wide: the page does not scroll sideways',
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await accessible('shop, 400 pixels wide', page);
  await page.screenshot({ path: join(folder, 'shop-narrow.png'), fullPage: true });
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 900, height: 1200 });
  await page.screenshot({ path: join(folder, 'shop-print.png'), fullPage: true });
  await page.pdf({ path: join(folder, 'shop.pdf'), format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } });
  check('shop: prints', statSync(join(folder, 'shop.pdf')).size > 10_000);
  await context.close();
};

const used = async page => {
  const all = await page.locator('#tests tbody tr').count();
  const attended = await firstName(page);
  await page.getByRole('searchbox').fill('checkout REJECTS');
  const names = await column(page, 0);
  check('search: every word, in any case', names.length > 0 && names.length < all
    && names.every(name => /checkout/i.test(name) && /rejects/i.test(name)), names.slice(0, 3).join(' '));
  same('search: how many match is said', await page.getByRole('status').innerText(), `${names.length} of ${all} tests match`);
  await page.getByRole('searchbox').fill('no test has this name');
  same('search: nothing found is said', await page.getByRole('status').innerText(), `0 of ${all} tests match`);
  await page.getByRole('searchbox').fill('');
  await page.locator('input[value=flaky]').check();
  same('filter: only this status', [...new Set(await column(page, 1))], ['flaky']);
  await page.locator('input[value=flaky]').uncheck();
  same('filter: taken back', await firstName(page), attended);

  await page.getByRole('button', { name: 'Takes' }).click();
  const milliseconds = text => [...text.matchAll(/([\d.]+) (ms|s|min)/g)].reduce((sum, [, n, unit]) => sum + n * { ms: 1, s: 1e3, min: 6e4 }[unit], 0);
  const takes = (await column(page, 2)).map(milliseconds);
  check('sort by click: the slowest first', takes.every((one, place) => place === 0 || takes[place - 1] >= one), takes.slice(0, 5).join(' '));
  same('sort by click: said of the column', await page.locator('#tests thead th').nth(2).getAttribute('aria-sort'), 'descending');
  await page.getByRole('button', { name: 'Test', exact: true }).focus();
  await page.keyboard.press('Enter');
  const sorted = await column(page, 0);
  same('sort by keyboard: by name', sorted, [...sorted].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  await page.keyboard.press('Space');
  check('sort by keyboard: the other way', (await firstName(page)) > sorted[0]);
  same('sort: of one column alone', await page.locator('#tests thead th[aria-sort]').count(), 1);

  await page.reload();
  await page.keyboard.press('Tab');
  same('keyboard: the first stop leads to the report', await page.evaluate(() => document.activeElement.textContent), 'To the report');
  await page.keyboard.press('Enter');
  same('keyboard: and goes there', await page.evaluate(() => document.activeElement.id), 'main');
  const summary = page.locator('article details summary').first();
  await summary.focus();
  await page.keyboard.press('Enter');
  check('keyboard: evidence opens', await page.locator('article details').first().evaluate(one => one.open));
  const link = page.locator('article a[rel=noreferrer]').first();
  check('links lead to the builds', /^https:\/\/ci\.example\/builds\/\d+$/.test(await link.getAttribute('href')));
  if (all > 100) {
    same('more: 100 at first', await visible(page).count(), 100);
    await page.getByRole('button', { name: /^Show/ }).click();
    same('more: and then others', await visible(page).count(), Math.min(all, 300));
  }
};

const hostile = async () => {
  const context = await open();
  const { page, wrong } = await visit(context, 'hostile.html');
  const text = await page.evaluate(() => document.body.textContent);
  for (const name of ["<script>document.title = 'owned'</script>", '"><svg onload=alert(1)>',
    '</table></main></style><h1>gone</h1><!--', 'abc\\u{202e}txt.exe\\u{2066}', '{{ 7 * 7 }} ${alert(1)} &lt;b&gt;', 'שלום_עולם']) {
    check(`hostile: stays text: ${name.slice(0, 40)}`, text.includes(name));
  }
  check('hostile: a name of 10 kB is cut, and said to be', /x{100}… \(10,\d{3} characters\)/.test(text));
  same('hostile: nothing was made of names', await page.evaluate(() =>
    [document.querySelectorAll('h1').length, document.querySelectorAll('script').length, document.querySelectorAll('img, iframe, form:not(#controls)').length]), [1, 1, 0]);
  check('hostile: the title is ours', (await page.title()).endsWith(': flaky tests'));
  same('hostile: no handler, no style attribute', await page.evaluate(() => [...document.querySelectorAll('*')]
    .flatMap(one => [...one.attributes]).filter(one => one.name === 'style' || one.name.startsWith('on')).length), 0);
  await accessible('hostile', page);
  await page.screenshot({ path: join(folder, 'hostile.png'), fullPage: true });
  same('hostile: no error, no request, nothing against the policy', await wrong(), []);
  await context.close();
};

const large = async () => {
  const bytes = statSync(join(folder, 'large.html')).size;
  const context = await open();
  const began = performance.now();
  const { page, wrong } = await visit(context, 'large.html');
  console.log(`time  large: opened in ${(performance.now() - began).toFixed(0)} ms, ${bytes} bytes`);
  check('large: below 1 MB', bytes < 1_000_000, String(bytes));
  const all = await page.locator('#tests tbody tr').count();
  check('large: every test has a row', all >= Number(process.env.LARGE_TESTS ?? 5000), String(all));
  for (const text of ['a', 'checkout', 'checkout rejects 17', 'zzz', '']) {
    tell(`large: search for '${text}'`, await timed(page, TYPE, text));
  }
  for (const place of [1, 3, 4, 2]) {
    tell(`large: sort by column ${place}`, await timed(page, CLICK, `#tests thead th:nth-child(${place}) button`));
  }
  tell('large: only healthy', await timed(page, CLICK, 'input[value=healthy]'));
  tell('large: all again', await timed(page, CLICK, 'input[value=healthy]'));
  for (let more = 0; more < 6; more += 1) tell('large: show more', await timed(page, CLICK, '#more'));
  const frames = await page.evaluate(async () => {
    const gaps = [];
    let before = performance.now();
    for (let step = 0; step < 120; step += 1) {
      scrollBy({ top: 400, behavior: 'instant' });
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((a, b) => a - b);
  });
  console.log(`time  large: a frame while scrolling: median ${frames[60].toFixed(1)} ms, longest ${frames.at(-1).toFixed(1)} ms`);
  same('large: no error, no request, nothing against the policy', await wrong(), []);
  await context.close();
};

// Readable without scripts, and as Jenkins serves artifacts: no script, no style sheet.
const plain = async () => {
  const context = await open({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(folder, 'shop.html')).href);
  const rows = page.locator('#tests tbody tr');
  check('without scripts: every row shows', await rows.count() > 100 && await rows.last().isVisible());
  check('without scripts: no controls that do nothing', !await page.locator('#controls').isVisible() && !await page.locator('#more').isVisible());
  await page.screenshot({ path: join(folder, 'shop-no-scripts.png') });
  await context.close();
  const strict = await open();
  const jenkins = await strict.newPage();
  await jenkins.route('**/*', route => route.fulfill({
    body: readFileSync(join(folder, 'shop.html')), contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': "sandbox; default-src 'none'; img-src 'self'; style-src 'self';" },
  }));
  await jenkins.goto('http://jenkins.example/report.html');
  check('under the policy of Jenkins: every row shows', await jenkins.locator('#tests tbody tr').last().isVisible());
  const order = (await jenkins.locator('h2').allInnerTexts()).map(text => text.trim());
  check('under the policy of Jenkins: sections in order', order[0] === 'Is it getting better?' && order.includes('All tests'), order.join(', '));
  await jenkins.screenshot({ path: join(folder, 'shop-jenkins.png'), clip: { x: 0, y: 0, width: 1280, height: 2400 }, fullPage: true });
  await strict.close();
};

try {
  for (const part of [ordinary, hostile, large, plain]) await part();
} finally {
  for (const context of opened) await context.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
