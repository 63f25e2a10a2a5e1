import { describe, expect, test } from 'vitest';
import { parseLaunch, readArguments } from './arguments.ts';

describe('the command line of the desktop application', () => {
  test.each<[string, string[], boolean, string | null]>([
    ['nothing', ['velescope'], true, null],
    ['a directory', ['velescope', 'data'], true, '/home/ada/data'],
    ['open and a directory', ['velescope', 'open', '/srv/db'], true, '/srv/db'],
    ['open alone', ['velescope', 'open'], true, null],
    ['an application path in development', ['electron', '/src/velescope', 'open', 'data'], false, '/home/ada/data'],
    ["Chromium's switches", ['velescope', '--no-sandbox', '--lang=de', 'data', '--x'], true, '/home/ada/data'],
    ['a path that climbs', ['velescope', '../bob'], true, '/home/bob'],
    ['a null byte', ['velescope', '/etc\0'], true, null],
  ])('%s', (_name, argv, packaged, directory) => {
    expect(readArguments(argv, packaged, '/home/ada')).toEqual({ directory });
  });
});

test('a launch is one absolute path or none, and nothing beside it', () => {
  expect(parseLaunch({ directory: '/srv/db' })).toEqual({ directory: '/srv/db' });
  expect(parseLaunch({ directory: null })).toEqual({ directory: null });
  for (const bad of [null, [], 'x', {}, { directory: '' }, { directory: 'x' }, { directory: '/x', more: 1 }]) {
    expect(parseLaunch(bad)).toBeNull();
  }
});
