import { useEffect, useState } from 'react';

const ASK_MILLISECONDS = 3_000;

/** Who answers at the page's address: nobody, the Velescope we were connected to, or one that was started anew and does not know us. */
type Answer = 'none' | 'ours' | 'another';

const WORDS: Readonly<Record<Answer, string>> = {
  none: 'Drafts made until then are kept; what is typed now is not. Start it, or the tunnel, again.',
  ours: 'It answers again.',
  another: 'Velescope was started again: open the new address that it printed. Drafts are kept.',
};

/**
 * Says that the connection is gone, and whether it can be had again. It is not taken up unasked: the page is loaded anew for that, and
 * somebody may want to copy what was typed since.
 */
export function LostBanner({ reason }: { reason: string }) {
  const [answer, setAnswer] = useState<Answer>('none');
  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      setAnswer(await answerAt(`${window.location.origin}/`, controller.signal));
      if (!controller.signal.aborted) timer = setTimeout(() => void ask(), ASK_MILLISECONDS);
    };
    timer = setTimeout(() => void ask(), ASK_MILLISECONDS);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, []);
  return (
    <div className="banner danger" role="alert">
      <p>
        {reason} {WORDS[answer]}
      </p>
      <button type="button" className="button small" onClick={() => window.location.reload()}>
        Connect again
      </button>
    </div>
  );
}

async function answerAt(ownAddress: string, signal: AbortSignal): Promise<Answer> {
  try {
    const { ok } = await fetch(ownAddress, { method: 'HEAD', cache: 'no-store', signal });
    return ok ? 'ours' : 'another';
  } catch {
    return 'none';
  }
}
