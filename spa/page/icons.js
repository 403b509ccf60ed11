import { svg } from './dom.js';

const PATHS = {
  dashboard: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z',
  messages: 'M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z',
  activity: 'M3 12h4l3 8 4-16 3 8h4',
  send: 'M21 3 10 14M21 3l-7 18-4-7-7-4z',
  platforms: 'M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4l13 8-13 8z',
  filter: 'M3 5h18l-7 8v6l-4 2v-8z',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  close: 'M5 5l14 14M19 5 5 19',
  copy: 'M9 9h11v12H9zM5 15H4V3h11v2',
  retry: 'M4 12a8 8 0 1 1 3 6.2M4 20v-5h5',
  cancel: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12',
  remove: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  reply: 'M10 6 4 12l6 6M4 12h10a6 6 0 0 1 6 6',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  up: 'M12 20V5M5 12l7-7 7 7',
  theme: 'M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  system: 'M3 4h18v12H3zM8 21h8M12 16v5',
  leave: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  inbound: 'M17 7 7 17M7 8v9h9',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2',
  check: 'M5 13l4 4L19 7',
  alert: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v6M12 16.5v.5',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9a1 1 0 1 0 0 .1z',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  forward: 'M14 6l6 6-6 6M20 12H10a6 6 0 0 0-6 6',
  smile: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.5M15 9.5v.5',
  more: 'M12 5v.5M12 12v.5M12 19v.5',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  undo: 'M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  attach: 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 5 5l-8.500 8.500a1.700 1.700 0 0 1-2.500-2.500L15 7',
  back: 'M15 5l-7 7 7 7',
  down: 'M12 4v15M5 12l7 7 7-7',
  pin: 'M9 3h6l-1 7 4 4H6l4-4zM12 14v7',
  muted: 'M6 17h12l-1.500-3V10a4.500 4.500 0 0 0-9 0v4zM10 20h4M4 4l16 16',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5',
  person: 'M10 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM3 20a7 7 0 0 1 14 0M19 8v6M16 11h6',
  people: 'M9 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM2 20a7 7 0 0 1 14 0M16 4.500a4 4 0 0 1 0 7M18 14a7 7 0 0 1 4 6',
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7.500v.5',
  outbound: 'M7 17 17 7M8 7h9v9',
};

/**
 * A small drawing beside words; screen readers pass it over.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  return svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' },
    svg('path', { d: PATHS[name] }),
  );
}
