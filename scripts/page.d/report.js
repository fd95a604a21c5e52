"use strict";
// Looks at reports as a browser, a telephone and a printer show them, and leaves what it
// saw in a folder: see scripts/page.
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const AXE = fs.readFileSync(require.resolve("axe-core"), "utf8");
const PICTURES = path.join(__dirname, "../../docs/report");
const VIEWS = {
  light: { viewport: { width: 1280, height: 1000 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 1000 }, colorScheme: "dark" },
  telephone: { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme: "light" },
  zoomed: { viewport: { width: 320, height: 600 }, colorScheme: "dark" },
};

const faults = [];

async function look(browser, file, view) {
  const context = await browser.newContext({ ...VIEWS[view], bypassCSP: true });
  const page = await context.newPage();
  const what = `${path.basename(file)}, ${view}`;
  page.on("console", (said) => { if (said.type() === "error") faults.push(`${what}: ${said.text()}`); });
  page.on("dialog", (dialog) => { faults.push(`${what}: a script of a name ran`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (request.url() !== `file://${file}`) faults.push(`${what}: it asked for ${request.url()}`);
  });
  await page.goto(`file://${file}`);
  for (const opened of [false, true]) {
    if (opened) await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
    const found = await page.evaluate(`(async () => { ${AXE}; return (await axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations; })()`);
    for (const fault of found) {
      const places = fault.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ");
      faults.push(`${what}: ${fault.id}: ${fault.help}: ${places}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) faults.push(`${what}: ${wide} px wider than the window`);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = false; }));
  const picture = path.join(process.argv[3], `${path.basename(file, ".html")}-${view}.png`);
  await page.screenshot({ path: picture, fullPage: true });
  if (view === "light") {
    await page.pdf({ path: picture.replace("-light.png", ".pdf"), format: "A4", preferCSSPageSize: true, printBackground: true });
    const name = `${path.basename(file, ".html")}.png`;
    if (name !== "empty.png") {
      await page.setViewportSize({ width: 1000, height: 1100 });
      await page.screenshot({ path: path.join(PICTURES, name) });
    }
  }
  await context.close();
}

async function main() {
  fs.mkdirSync(PICTURES, { recursive: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for (const file of process.argv[2].split(",")) {
    for (const view of Object.keys(VIEWS)) await look(browser, file, view);
  }
  await browser.close();
  for (const fault of faults) console.error(fault);
  console.log(`${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 4 : 0;
}

main().catch((error) => { console.error(error); process.exit(1); });
