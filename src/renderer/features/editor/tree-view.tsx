import type { PayloadDocument } from '../../state/documents.ts';
export function TreeView({ document }: { document: PayloadDocument }) {
  return <p>{document.id}</p>;
}
