/** The message about mistakes in redirection data that were passed over (Exim spec 22.7, syntax_errors_to). */

import type { Context } from '../expand/context.ts';
import type { OptionsOf } from '../options/table.ts';
import type { redirectOptions } from './redirect-options.ts';
import type { RouterServices } from './router.ts';

/** Sends it to whom `syntax_errors_to` names, with `syntax_errors_text` in front. */
export async function tellOfErrors(
  errors: string,
  { syntax_errors_to: to, syntax_errors_text: template }: OptionsOf<typeof redirectOptions>,
  context: Context,
  services: RouterServices,
): Promise<void> {
  if (to === undefined || services.sendSyntaxErrors === undefined) return;
  const what = `${context.address?.routerName} router`;
  let head = '';
  if (template !== undefined) {
    const expansion = await template.expand(context);
    if (expansion.ok) head = `${expansion.text.value}\n\n`;
    else services.log(`failed to expand "${template.source}" (syntax_errors_text) in ${what}: ${expansion.message}`);
  }
  await services.sendSyntaxErrors({
    to,
    text: `${head}The ${what} encountered the following error(s):\n\n${errors}`,
  });
}
