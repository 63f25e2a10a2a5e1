import { beforeEach, expect, test } from 'vitest';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { useApplication } from './application.ts';
import { showEarlyWarnings, takeWarning } from './early-warnings.ts';
import { useSession } from './session-state.ts';

const warning = toErrorValue(new VelescopeError('IO_ERROR', 'The drafts could not be read.', { next: 'Look there.' }));
const notices = () => useApplication.getState().notices.map(({ text, next }) => [text, next]);

useSession.subscribe(showEarlyWarnings);
beforeEach(() => {
  useSession.setState({ session: null });
  useApplication.setState({ notices: [] });
});

test('a warning that comes before the answer to opening its session is shown once that is open', () => {
  takeWarning('mine', warning);
  expect(notices()).toEqual([]);
  useSession.setState({ session: 'mine' });
  expect(notices()).toEqual([['The drafts could not be read.', 'Look there.']]);
});

test('a warning of the open session is shown at once, and none of another window', () => {
  useSession.setState({ session: 'mine' });
  takeWarning('another', warning);
  expect(notices()).toEqual([]);
  takeWarning('mine', warning);
  expect(notices()).toHaveLength(1);
});
