import { closeDialog, useApplication } from '../../state/application.ts';
import { PlacesDialog } from '../directory/places-dialog.tsx';
import { DeleteRecordDialog } from '../drafts/delete-record-dialog.tsx';
import { NewRecordDialog } from '../drafts/new-record-dialog.tsx';
import { ReviewDialog } from '../drafts/review-dialog.tsx';
import { GoToPathDialog } from '../editor/go-to-path-dialog.tsx';
import { UndoWriteDialog } from '../history/undo-write-dialog.tsx';
import { ExportDialog } from '../records/export-dialog.tsx';
import { ImportDialog } from '../records/import-dialog.tsx';
import { GoToDialog } from '../search/go-to-dialog.tsx';
import { WritingDialog } from '../settings/writing-dialog.tsx';
import { SnapshotDialog } from '../snapshot/snapshot-dialog.tsx';
import { OutcomeDialog } from '../triage/outcome-dialog.tsx';
import { ReportDialog } from '../triage/report-dialog.tsx';
import { KeysDialog } from './keys-dialog.tsx';
import { Palette } from './palette.tsx';

/** The dialog that is open, if one is. */
export function Dialogs() {
  const dialog = useApplication((state) => state.dialog);
  if (!dialog) return null;
  switch (dialog.name) {
    case 'palette':
      return <Palette onClose={closeDialog} />;
    case 'keys':
      return <KeysDialog onClose={closeDialog} />;
    case 'goto':
      return <GoToDialog onClose={closeDialog} />;
    case 'goto-path':
      return <GoToPathDialog onClose={closeDialog} />;
    case 'places':
      return <PlacesDialog onClose={closeDialog} />;
    case 'review':
      return <ReviewDialog onClose={closeDialog} />;
    case 'new-record':
      return <NewRecordDialog onClose={closeDialog} />;
    case 'delete-record':
      return <DeleteRecordDialog id={dialog.id} onClose={closeDialog} />;
    case 'undo-write':
      return <UndoWriteDialog figures={dialog.figures} onClose={closeDialog} />;
    case 'writing':
      return <WritingDialog refusal={dialog.refusal} next={dialog.next} onClose={closeDialog} />;
    case 'snapshot':
      return <SnapshotDialog onClose={closeDialog} />;
    case 'export':
      return <ExportDialog onClose={closeDialog} />;
    case 'import':
      return <ImportDialog onClose={closeDialog} />;
    case 'report':
      return <ReportDialog onClose={closeDialog} />;
    case 'outcome':
      return <OutcomeDialog view={dialog.view} outcome={dialog.outcome} onClose={closeDialog} />;
  }
}
