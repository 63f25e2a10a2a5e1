import { createRoot } from 'react-dom/client';
import { App } from '../app.tsx';
import { start } from '../state/start.ts';
import '../styles/index.css';
import { createFixture } from './client.fixture.ts';

/** The window over made-up data, for looking at it: `npx vite src/renderer`, then /testing/window.html?rows=48211. */
const { client } = createFixture(Number(new URLSearchParams(window.location.search).get('rows') ?? 48_211));
createRoot(document.getElementById('root')!).render(<App />);
void start(async () => ({ client, openDropped: null, platform: 'other', onLost: () => {} }));
