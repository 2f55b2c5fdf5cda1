// Drives headless Chromium through a script and reports every step. The script is JSON on stdin: a list of steps, or
// {"hosts": {"app.example.com": "127.0.0.1:8443"}, "steps": […]} to have names answered by a local port.
//
// A step is an object with one of these, and optionally `timeout` in seconds (15):
//   {"goto": URL}                                 {"reload": true}             {"back": true}
//   {"fill": SELECTOR, "value": TEXT}             {"click": SELECTOR}          {"press": "Enter", "on": SELECTOR or the focused element}
//   {"expect_text": TEXT, "in": SELECTOR or body}                              {"expect_no_text": TEXT, "in": …}
//   {"expect_url": REGEX}                         {"expect_status": 403}       {"expect": SELECTOR, visible}
//   {"expect_clean": true}                        no CSP violation and no uncaught error so far
//   {"eval": EXPRESSION, "equals": VALUE}         waits until it is equal, when `equals` is there
//   {"screenshot": FILE, "full_page": true}       {"viewport": [390, 844]}     {"color_scheme": "dark" | "light"}
//   {"header": {NAME: VALUE, or null to stop}}    sent with every request of this context
//   {"cookies": true}                             {"add_cookie": {"name", "value", "url", …}}            {"clear_cookies": true}
//   {"tab": NAME}                                 switches to that tab of this context; the first is "main", a new name opens one
//   {"new_context": NAME, "javascript": false, "locale": "de"}                 a browser without any state
//   {"context": NAME}                             back to an earlier one; the first is "main"
// Waiting is built in: an expectation is polled, an element is awaited. Certificates are not checked.
//
// Each step prints one line: {step, do, ok, url, title, status (of the document), and when there are any: result, cookies,
// file, csp: […], console: [… errors], uncaught: […]}. The first failed step adds `error` and `text` (the page) and ends the run: exit 1.
// Exit 2 is a bad script, 3 is the limit of 120 s for the whole. Environment: CHROMIUM, SIDEGATE_TEST_TOOLS.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual, stripVTControlCharacters } from 'node:util';
import { load, tools } from '../setup/load.mjs';

const TOTAL_SECONDS = 120;
const { chromium } = (await load('playwright-core')).default;

function giveUp(code, message) {
  console.error(message);
  process.exitCode = code;
}

class Driver {
  contexts = new Map();
  violations = [];
  seen = { csp: [], console: [], uncaught: [] };

  constructor(browser) {
    this.browser = browser;
  }

  async openContext(name, { javascript = true, locale, color_scheme: colorScheme } = {}) {
    if (this.contexts.has(name)) throw new Error(`the context ${name} exists; use {"context": …}`);
    const options = { ignoreHTTPSErrors: true, javaScriptEnabled: javascript, locale, colorScheme, viewport: { width: 1280, height: 800 } };
    this.context = { browserContext: await this.browser.newContext(options), tabs: new Map(), headers: {} };
    this.contexts.set(name, this.context);
    await this.openTab('main');
  }

  async openTab(name) {
    const page = await this.context.browserContext.newPage();
    const tab = { page, status: undefined };
    const isDocument = (request) => request.isNavigationRequest() && request.frame() === page.mainFrame();
    page.on('response', (response) => {
      if (isDocument(response.request())) tab.status = response.status();
    });
    page.on('requestfailed', (request) => {
      if (!isDocument(request)) return;
      tab.status = undefined;
      this.note('console', `${request.url()} could not be opened: ${request.failure()?.errorText}`);
    });
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const kind = /content security policy/i.test(message.text()) ? 'csp' : 'console';
      this.note(kind, message.text());
    });
    page.on('pageerror', (error) => this.note('uncaught', String(error)));
    this.context.tabs.set(name, tab);
    this.context.tab = tab;
  }

  note(kind, text) {
    this.seen[kind].push(text);
    if (kind !== 'console') this.violations.push(text);
  }

  get page() {
    return this.context.tab.page;
  }

  async text(selector = 'body') {
    const texts = await this.page.locator(selector).allInnerTexts();
    return texts.join('\n').replace(/\s+/g, ' ');
  }

  /** What happened since the last step, and where we are. */
  async report() {
    const noted = Object.fromEntries(Object.entries(this.seen).filter(([, list]) => list.length));
    this.seen = { csp: [], console: [], uncaught: [] };
    const title = await this.page.title().catch(() => '');
    return { url: this.page.url(), title, status: this.context.tab.status, ...noted };
  }
}

/** Polls until `check` gives something true; a page that is just being replaced counts as "not yet". */
async function until(milliseconds, check, complaint) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const outcome = await check().catch((error) => {
      if (!/context was destroyed|navigat/i.test(error.message)) throw error;
    });
    if (outcome) return;
    if (Date.now() > end) throw new Error(await complaint());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const plain = (text) => text.replace(/\s+/g, ' ');

// Each gets the driver, the step's main value, the whole step and its timeout; what it returns is added to the line.
const verbs = {
  goto: (d, url, step, timeout) => d.page.goto(url, { timeout }).then(() => {}),
  reload: (d, value, step, timeout) => d.page.reload({ timeout }).then(() => {}),
  back: (d, value, step, timeout) => d.page.goBack({ timeout }).then(() => {}),
  fill: (d, selector, { value }, timeout) => d.page.locator(selector).fill(value, { timeout }),
  click: (d, selector, step, timeout) => d.page.locator(selector).click({ timeout }),
  press: (d, key, { on }, timeout) => (on ? d.page.locator(on).press(key, { timeout }) : d.page.keyboard.press(key)),
  expect: (d, selector, step, timeout) => d.page.locator(selector).first().waitFor({ state: 'visible', timeout }),
  expect_text: (d, text, step, timeout) =>
    until(timeout, async () => (await d.text(step.in)).includes(plain(text)), () => `the page does not say "${text}"`),
  expect_no_text: (d, text, step, timeout) =>
    until(timeout, async () => !(await d.text(step.in)).includes(plain(text)), () => `the page says "${text}"`),
  expect_url: (d, pattern, step, timeout) =>
    until(timeout, async () => new RegExp(pattern).test(d.page.url()), () => `the address ${d.page.url()} does not match ${pattern}`)
      .then(() => d.page.waitForLoadState('load', { timeout })),
  expect_status: (d, status, step, timeout) =>
    until(timeout, async () => d.context.tab.status === status, () => `the status is ${d.context.tab.status}, not ${status}`),
  expect_clean: async (d) => {
    if (d.violations.length) throw new Error(`the pages were not clean: ${d.violations.join(' | ')}`);
  },
  eval: async (d, expression, step, timeout) => {
    let result;
    const run = async () => {
      result = await d.page.evaluate(expression);
      return !('equals' in step) || isDeepStrictEqual(result, step.equals);
    };
    await until(timeout, run, () => `${expression} is ${JSON.stringify(result)}, not ${JSON.stringify(step.equals)}`);
    return { result };
  },
  screenshot: async (d, file, { full_page: fullPage = false }, timeout) => {
    mkdirSync(dirname(file), { recursive: true });
    await d.page.screenshot({ path: file, fullPage, timeout });
    return { file };
  },
  viewport: (d, [width, height]) => d.page.setViewportSize({ width, height }),
  color_scheme: (d, colorScheme) => d.page.emulateMedia({ colorScheme }),
  header: (d, headers) => {
    Object.assign(d.context.headers, headers);
    const set = Object.entries(d.context.headers).filter(([, value]) => value !== null);
    return d.context.browserContext.setExtraHTTPHeaders(Object.fromEntries(set));
  },
  cookies: async (d) => ({ cookies: await d.context.browserContext.cookies() }),
  add_cookie: (d, cookie) => d.context.browserContext.addCookies([cookie]),
  clear_cookies: (d) => d.context.browserContext.clearCookies(),
  tab: async (d, name) => {
    if (!d.context.tabs.has(name)) return d.openTab(name);
    d.context.tab = d.context.tabs.get(name);
    return d.page.bringToFront();
  },
  new_context: (d, name, step) => d.openContext(name, step),
  context: async (d, name) => {
    if (!d.contexts.has(name)) throw new Error(`there is no context ${name}`);
    d.context = d.contexts.get(name);
  },
};

/** The steps as [verb, step], or an Error that says which one cannot be understood. */
function parse(text) {
  const script = JSON.parse(text);
  const { hosts = {}, steps } = Array.isArray(script) ? { steps: script } : script;
  if (!Array.isArray(steps)) throw new Error('the script must be a list of steps');
  const parsed = steps.map((step, index) => {
    const named = Object.keys(step).filter((key) => Object.hasOwn(verbs, key));
    // `new_context` takes a `color_scheme` as an option.
    const [verb] = named.includes('new_context') ? ['new_context'] : named;
    if (!verb || (named.length > 1 && verb !== 'new_context')) {
      throw new Error(`step ${index + 1} must have exactly one verb: ${JSON.stringify(step)}`);
    }
    return [verb, step];
  });
  return { hosts, steps: parsed };
}

function launch(hosts) {
  const executablePath = process.env.CHROMIUM ?? `${tools}/bin/chromium`;
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`).join(',');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-proxy-server', ...(rules ? [`--host-resolver-rules=${rules}`] : []),
    ],
  });
}

async function run(browser, steps) {
  const driver = new Driver(browser);
  await driver.openContext('main');
  for (const [index, [verb, step]] of steps.entries()) {
    const line = { step: index + 1, do: verb, ok: true };
    try {
      Object.assign(line, await verbs[verb](driver, step[verb], step, (step.timeout ?? 15) * 1000));
    } catch (error) {
      Object.assign(line, { ok: false, error: stripVTControlCharacters(error.message) });
    }
    Object.assign(line, await driver.report());
    if (!line.ok) line.text = (await driver.text().catch(() => '')).slice(0, 1000);
    console.log(JSON.stringify(line));
    if (!line.ok) {
      return giveUp(1, `step ${line.step} ${JSON.stringify(step)} failed at ${line.url}: ${line.error}\nthe page says: ${line.text}`);
    }
  }
  return undefined;
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  let script;
  try {
    script = parse(Buffer.concat(chunks).toString());
  } catch (error) {
    return giveUp(2, `cannot understand the script: ${error.message}`);
  }
  const limit = setTimeout(() => {
    giveUp(3, `not done within ${TOTAL_SECONDS} s`);
    process.exit();
  }, TOTAL_SECONDS * 1000);
  const browser = await launch(script.hosts);
  try {
    await run(browser, script.steps);
  } finally {
    clearTimeout(limit);
    await browser.close();
  }
  return undefined;
}

await main();
