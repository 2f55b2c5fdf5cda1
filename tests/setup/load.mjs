// Imports an npm package from where tests/setup/packages installed it: below target/, so that the source tree stays clean.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder with everything that was installed for the tests. */
export const tools = process.env.SIDEGATE_TEST_TOOLS ?? fileURLToPath(new URL('../../target/test-tools', import.meta.url));
const require = createRequire(pathToFileURL(`${tools}/npm/`));

export async function load(name) {
  try {
    return await import(pathToFileURL(require.resolve(name)));
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    console.error(`${name} is not installed below ${tools}; run tests/setup/packages`);
    process.exit(1);
  }
}
