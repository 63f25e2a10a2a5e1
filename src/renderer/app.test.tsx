// @vitest-environment happy-dom
import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { App } from './app.tsx';
import { start } from './state/start.ts';
import { createFixture } from './testing/client.fixture.ts';

/** Contrast and layout need a real browser: the end-to-end run checks those. */
const RULES = { 'color-contrast': { enabled: false }, 'scrollable-region-focusable': { enabled: false } };

async function violations(): Promise<string[]> {
  const result = await axe.run(document.body, { rules: RULES });
  return result.violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html.slice(0, 120)}`);
}

const fixture = createFixture(48_211);
const user = userEvent.setup();

beforeAll(async () => {
  render(<App />);
  await start(async () => ({ client: fixture.client, openDropped: null, platform: 'other', onLost: () => {} }));
});

describe('the window', () => {
  test('lists the collections, each with its badge in words, and why VelesDB would not list one', async () => {
    const list = screen.getByRole('navigation', { name: 'Collections' });
    expect(within(list).getAllByRole('button')).toHaveLength(3);
    expect(within(list).getByText('snapshot differs')).toBeTruthy();
    expect(within(list).getByText('No config.json: VelesDB does not list it')).toBeTruthy();
    expect(await violations()).toEqual([]);
  });

  test('shows the records as a grid that knows its full size and has one tab stop', async () => {
    const list = screen.getByRole('navigation', { name: 'Collections' });
    await user.click(within(list).getByRole('button', { name: /_semantic_memory/ }));
    const grid = await screen.findByRole('grid', { name: 'Records' });
    await waitFor(() => expect(grid.getAttribute('aria-rowcount')).toBe('48212'));
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    for (const row of within(grid).getAllByRole('row')) expect(row.getAttribute('aria-rowindex')).toMatch(/^[1-9]/);
    expect(
      within(grid)
        .getByRole('columnheader', { name: /Offset/ })
        .getAttribute('aria-sort'),
    ).toBe('ascending');
    expect(await violations()).toEqual([]);
  });

  test('sorts by a header with the keyboard and says so', async () => {
    const header = screen.getByRole('columnheader', { name: 'Id' });
    await user.click(header);
    await waitFor(() =>
      expect(screen.getByRole('columnheader', { name: 'Id' }).getAttribute('aria-sort')).toBe('ascending'),
    );
    await user.keyboard('{Enter}');
    await waitFor(() =>
      expect(screen.getByRole('columnheader', { name: 'Id' }).getAttribute('aria-sort')).toBe('descending'),
    );
    const queries = fixture.calls.filter((call) => call.method === 'records.query');
    expect(queries.at(-1)!.params).toMatchObject({ order: { by: 'id', direction: 'descending' } });
  });

  test('turns what is typed into the search box into a filter, and says when nothing fits', async () => {
    const search = screen.getByRole('textbox', { name: /^Find an id/ });
    await user.type(search, 'harbour{Enter}');
    await screen.findByText('Nothing found');
    expect(fixture.calls.filter((call) => call.method === 'records.query').at(-1)!.params).toMatchObject({
      filter: { text: 'harbour' },
    });
    await user.type(search, '{Escape}');
    await waitFor(() => expect(screen.queryByText('Nothing found')).toBeNull());
  });

  test('opens the palette by key, and every command in it has a name', async () => {
    await user.keyboard('{Control>}k{/Control}');
    const dialog = await screen.findByRole('dialog', { name: 'Commands' });
    expect(within(dialog).getAllByRole('option').length).toBeGreaterThan(40);
    expect(await violations()).toEqual([]);
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  test('triage tells where a generation refuses, in words', async () => {
    await user.click(screen.getByRole('button', { name: 'Triage' }));
    await screen.findByRole('heading', { name: 'Triage', level: 1 });
    expect(screen.getByText('refuses')).toBeTruthy();
    expect(await violations()).toEqual([]);
  });
});
