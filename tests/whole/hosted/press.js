// Opens a page in Chromium, presses what has a text, and waits until another text is there.
const { chromium } = require('playwright-core');

const [url, button, wanted] = process.argv.slice(2);
(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(url, { waitUntil: 'load' });
    await page.getByText(button).first().click({ timeout: 60_000 });
    await page.getByText(wanted, { exact: true }).first().waitFor({ timeout: 10000 });
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
