import { Page } from '../parts/page.js';
import { ExportForm } from './exportForm.js';
import { ImportForm } from './importForm.js';

/** A bot from a file, and as a file. */
export function FilesScreen({ bot }: { readonly bot: string }) {
  return (
    <Page
      title="Import / Export"
      lead="Formats are recognised by their content. Nothing is written before you have seen what changes."
    >
      <ImportForm bot={bot} />
      <ExportForm bot={bot} />
    </Page>
  );
}
