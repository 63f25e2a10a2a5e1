import { useAnnouncements } from '../state/announcements.ts';

/** The window's live regions: one polite and rate-limited, one assertive for failed saves. */
export function LiveRegion() {
  const { polite, assertive } = useAnnouncements();
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite">
        {polite}
      </div>
      <div className="visually-hidden" role="alert" aria-live="assertive">
        {assertive}
      </div>
    </>
  );
}
