import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from 'electron';
import { CHANNELS } from '../shared/channels.ts';
import type { Request, Response } from '../shared/protocol.ts';
import type { VelescopeBridge } from './api.ts';

/**
 * Copies an envelope key by key, so that nothing but an envelope leaves the page's process. It is a filter against mistakes, not
 * the check: the main process parses every message against its schema, because a compromised page can speak for itself.
 */
function envelope(request: Request): Request | null {
  if (request.type === 'call') {
    return {
      type: 'call',
      call: Number(request.call),
      method: String(request.method) as typeof request.method,
      params: request.params,
    };
  }
  if (request.type === 'cancel') return { type: 'cancel', call: Number(request.call) };
  return null;
}

const bridge: VelescopeBridge = {
  send(request) {
    const message = envelope(request);
    if (message) ipcRenderer.send(CHANNELS.request, message);
  },
  onResponse(listener) {
    // Wrapped, so that the page never holds the event object, which leads to ipcRenderer.
    const wrapped = (_event: IpcRendererEvent, response: Response) => listener(response);
    ipcRenderer.on(CHANNELS.response, wrapped);
    return () => {
      ipcRenderer.removeListener(CHANNELS.response, wrapped);
    };
  },
  openDropped(file) {
    // Empty for a File that a script made up: only what a person dropped has a path.
    const path = webUtils.getPathForFile(file);
    if (path !== '') ipcRenderer.send(CHANNELS.dropped, path);
  },
  platform: process.platform,
};

contextBridge.exposeInMainWorld('velescope', bridge);
