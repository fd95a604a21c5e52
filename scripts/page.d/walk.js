"use strict";
// The walk: see scripts/page.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const AXE = fs.readFileSync(require.resolve("axe-core"), "utf8");
const PICTURES = path.join(__dirname, "../../docs/page");
const TOKEN = "demonstration-of-the-page";
const base = process.argv[2];

const PAGES = [
  "/", "/tasks/photos", "/tasks/films", "/tasks/photos/runs", "/tasks/photos/runs/40",
  "/tasks/photos/failed", "/tasks/photos/lists", "/tasks/photos/objects?name=press%2Ftwo%0Alines.jpg",
  "/tasks/photos/rejected",
  "/tasks/photos/failed?name=script&match=holds", "/tasks/photos/objects?name=never", "/tasks/none",
];

const faults = [];
let checked = 0;

/// A page of which every complaint is kept.
async function open(context) {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (said) => {
    const expected = /status of 40[34]/.test(said.text());
    if (said.type() === "error" && !expected) faults.push(`${page.url()}: ${said.text()}`);
  });
  page.on("dialog", (dialog) => { faults.push(`${page.url()}: a script of a name ran`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) faults.push(`${page.url()} asked for ${request.url()}`);
  });
  return page;
}

/// Faults that axe-core finds. It is put beside the page, whose policy forbids foreign scripts.
async function check(page, what) {
  const found = await page.evaluate(`(async () => { ${AXE}; return (await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations; })()`);
  for (const fault of found) {
    const places = fault.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ");
    faults.push(`${what} ${page.url()}: ${fault.id}: ${fault.help}: ${places}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) faults.push(`${what} ${page.url()}: ${wide} px wider than the window`);
  checked += 1;
}

async function signIn(page) {
  await page.goto(`${base}/tasks/photos?month=2026-10`);
  await check(page, "form");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await check(page, "refused");
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(page.url(), `${base}/tasks/photos?month=2026-10`);
}

/// By keyboard alone: past the head of the page, to the first link in it.
async function byKeyboard(page) {
  await page.goto(`${base}/`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tasks\/(photos|films)$/);
}

/// The run at work moves on by itself.
async function watch(page) {
  await page.goto(`${base}/tasks/photos`);
  const told = page.locator("[data-percent]");
  const first = await told.textContent();
  await page.waitForFunction((first) => document.querySelector("[data-percent]").textContent !== first, first, { timeout: 15000 });
}

/// A table that is wider than its place shows at which edge there is more: the two
/// edges look otherwise before it is moved to its end and after.
async function shades(page) {
  await page.goto(`${base}/tasks/photos/runs`);
  const table = page.getByRole("group", { name: "Runs" });
  assert.ok(await table.evaluate((place) => place.scrollWidth > place.clientWidth));
  const { x, y, width } = await table.boundingBox();
  const edge = (left) => page.screenshot({ clip: { x: left, y: y + 4, width: 12, height: 24 } });
  const edges = async () => [await edge(x + 1), await edge(x + width - 13)];
  const [left, right] = await edges();
  await table.evaluate((place) => { place.scrollLeft = place.scrollWidth; });
  const [laterLeft, laterRight] = await edges();
  assert.ok(!left.equals(laterLeft) && !right.equals(laterRight));
}

/// Months, causes, the search, further pages, an object, a download.
async function press(page) {
  await page.goto(`${base}/tasks/photos`);
  await page.locator("a[rel=prev]").click();
  await page.getByText("Figures by day, as a table").click();
  assert.ok(await page.getByRole("group", { name: "Figures by day" }).isVisible());
  await page.getByRole("link", { name: "source_missing" }).first().click();
  await page.waitForURL(/cause=source_missing/);
  await page.getByLabel("Month").selectOption("");
  await page.waitForURL(/month=&/);
  await page.getByRole("link", { name: "Further" }).click();
  await page.getByRole("link", { name: "The first" }).click();
  await page.getByLabel("Part of the name").fill("two");
  await page.getByLabel("Name", { exact: true }).selectOption("holds");
  await page.waitForURL(/match=holds/);
  await page.getByRole("link", { name: "press/two\\nlines.jpg" }).first().click();
  assert.equal(new URL(page.url()).searchParams.get("name"), "press/two\nlines.jpg");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: /object_lists/ }).first().click();
  const lines = fs.readFileSync(await (await download).path(), "utf8");
  assert.ok(lines.includes("press%2Ftwo%0Alines.jpg\n"));
  await page.goto(`${base}/tasks/photos`);
  await page.getByRole("link", { name: /rejected lines?$/ }).click();
  await page.waitForURL(/\/rejected\?month=/);
  await page.getByText("<img src=x").first().waitFor();
  await page.getByText("What the reasons mean").click();
  await page.getByText("It is not UTF-8").waitFor();
  await page.getByRole("link", { name: "Those of all lists" }).click();
  await page.getByRole("cell", { name: "not_utf8" }).first().waitFor();
  await page.goto(`${base}/tasks/photos/runs`);
  await page.getByRole("link", { name: "Older" }).click();
  await page.getByRole("link", { name: "The newest" }).click();
}

async function signOut(page) {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${base}/tasks/photos`);
  assert.ok(page.url().startsWith(`${base}/sign-in`));
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const desk = { viewport: { width: 1200, height: 900 } };
  const context = await browser.newContext({ ...desk, colorScheme: "light" });
  const page = await open(context);
  for (const step of [signIn, byKeyboard, watch, press]) {
    console.log(step.name);
    await step(page);
  }
  const storageState = await context.storageState();
  fs.mkdirSync(PICTURES, { recursive: true });
  for (const [name, view] of [
    ["month", { ...desk, colorScheme: "light" }],
    ["dark", { ...desk, colorScheme: "dark" }],
    ["telephone", { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme: "light" }],
    ["zoomed", { viewport: { width: 320, height: 600 }, colorScheme: "dark" }],
    ["without script", { ...desk, javaScriptEnabled: false }],
  ]) {
    const context = await browser.newContext({ ...view, storageState });
    const page = await open(context);
    for (const address of PAGES) {
      await page.goto(base + address);
      // axe-core is a script.
      if (view.javaScriptEnabled !== false) await check(page, name);
    }
    if (name === "telephone") await shades(page);
    await page.goto(`${base}/tasks/photos`);
    if (["month", "dark", "telephone"].includes(name)) {
      await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
    }
    if (name === "month") {
      await page.goto(`${base}/tasks/photos/failed?name=press&match=begins`);
      await page.screenshot({ path: path.join(PICTURES, "failed.png") });
      await page.goto(`${base}/`);
      await page.screenshot({ path: path.join(PICTURES, "tasks.png") });
    }
    await context.close();
  }
  await signOut(page);
  await browser.close();
  for (const fault of faults) console.error(fault);
  console.log(`${checked} pages checked, ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 4 : 0;
}

// What takes so long has come to a standstill.
setTimeout(() => { console.error("it stands still"); process.exit(1); }, 300_000).unref();
main().catch((error) => { console.error(error); for (const fault of faults) console.error(fault); process.exit(1); });
