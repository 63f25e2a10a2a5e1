import { describe, expect, test } from 'vitest';
import { bundlePath } from './bundle.ts';

describe('where a path of a URL leads in the bundle', () => {
  test.each([
    ['/', '/srv/bundle/index.html'],
    ['/index.html', '/srv/bundle/index.html'],
    ['/assets/page.js', '/srv/bundle/assets/page.js'],
    ['/assets/a%20b.js', '/srv/bundle/assets/a b.js'],
    ['/assets/../index.html', '/srv/bundle/index.html'],
    ['/..page.js', '/srv/bundle/..page.js'],
  ])('%s: %s', (pathname, path) => {
    expect(bundlePath('/srv/bundle', pathname)).toBe(path);
  });

  test.each([
    '',
    'index.html',
    '/..',
    '/../secret.js',
    '/../bundle.old/page.js',
    '/%2e%2e/secret.js',
    '/%2e%2e%2fsecret.js',
    '/assets/..%2f..%2fsecret.js',
    '/..%5csecret.js',
    '/c:/secret.js',
    '/page.js%00',
    '/%',
    '/%ff',
  ])('%s: nowhere', (pathname) => {
    expect(bundlePath('/srv/bundle', pathname)).toBeNull();
  });

  test('an escape is undone once only: what is escaped twice is a name', () => {
    expect(bundlePath('/srv/bundle', '/%252e%252e/page.js')).toBe('/srv/bundle/%2e%2e/page.js');
  });
});
