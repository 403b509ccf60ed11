import { h, svg } from './dom.js';
import { number, time } from './format.js';
import { t } from './i18n.js';

/** The drawing's own measures; it is stretched to its place. */
const WIDTH = 600;
const HEIGHT = 160;

/**
 * Messages a minute as a drawing: in and out, each as an area.
 * @param {import('./types.js').Activity} activity
 * @param {number} step minutes that are put together
 */
export function plot(activity, step) {
  const inbound = together(activity.in, step);
  const outbound = together(activity.out, step);
  const most = Math.max(1, ...inbound, ...outbound);
  const top = niceTop(most);
  const total = (/** @type {number[]} */ counts) => counts.reduce((sum, n) => sum + n, 0);
  const label = t('plotLabel', { in: number(total(activity.in)), out: number(total(activity.out)), most });
  const lines = [0, 0.5, 1].map((part) =>
    svg('line', { x1: 0, x2: WIDTH, y1: y(part * top, top), y2: y(part * top, top), class: 'grid' }),
  );
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...lines,
    ...area(inbound, top, 'in'),
    ...area(outbound, top, 'out'),
  );
  const minutes = activity.in.length;
  const at = (/** @type {number} */ part) => time(activity.from + part * minutes * 60);
  return h(
    'div',
    { class: 'plot' },
    h('div', { class: 'drawing' }, drawing, h('span', { class: 'top' }, number(top)), h('span', { class: 'middle' }, top > 1 ? number(top / 2) : '')),
    h('div', { class: 'times', 'aria-hidden': 'true' }, h('span', null, at(0)), h('span', null, at(0.5)), h('span', null, t('now'))),
    h(
      'div',
      { class: 'legend' },
      h('span', { class: 'in' }, `${t('in')} ${number(total(activity.in))}`),
      h('span', { class: 'out' }, `${t('out')} ${number(total(activity.out))}`),
    ),
  );
}

/**
 * @param {number[]} counts
 * @param {number} step
 */
function together(counts, step) {
  const sums = [];
  for (let at = 0; at < counts.length; at += step) {
    sums.push(counts.slice(at, at + step).reduce((sum, n) => sum + n, 0));
  }
  return sums;
}

/** The next round number, even so that its half is whole. @param {number} most */
function niceTop(most) {
  if (most <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(most));
  const steps = power === 1 ? [2, 4, 6, 8, 10] : [1, 2, 3, 4, 5, 6, 8, 10];
  return (steps.find((step) => step * power >= most) ?? 10) * power;
}

/**
 * @param {number} value
 * @param {number} top
 */
const y = (value, top) => HEIGHT - 2 - (value / top) * (HEIGHT - 6);

/**
 * @param {number[]} counts
 * @param {number} top
 * @param {string} name
 */
function area(counts, top, name) {
  const x = (/** @type {number} */ index) => (index * WIDTH) / Math.max(1, counts.length - 1);
  const line = counts.map((count, index) => `${x(index).toFixed(1)},${y(count, top).toFixed(1)}`).join(' ');
  return [
    svg('polygon', { points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`, class: `area ${name}` }),
    svg('polyline', { points: line, class: `line ${name}`, 'vector-effect': 'non-scaling-stroke' }),
  ];
}
