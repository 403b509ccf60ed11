// The page's rules. No HTML is ever made from text: messages are other people's.
import js from '@eslint/js';

const html = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'write', 'writeln', 'createContextualFragment'];
const browser = [
  'AbortController', 'AbortSignal', 'AudioContext', 'Blob', 'CSS', 'Element', 'Event', 'File', 'FileReader', 'GainNode', 'HTMLElement', 'Headers', 'Highlight', 'MediaRecorder', 'Node', 'NodeFilter', 'Notification', 'OscillatorNode', 'Range', 'ResizeObserver', 'TextDecoder', 'TextEncoder', 'URL', 'URLSearchParams',
  'WebSocket', 'XMLHttpRequest', 'addEventListener', 'atob', 'btoa', 'cancelAnimationFrame', 'clearInterval', 'clearTimeout', 'createImageBitmap', 'crypto', 'document',
  'fetch', 'focus', 'getComputedStyle', 'getSelection', 'history', 'innerHeight', 'innerWidth', 'localStorage', 'location', 'matchMedia', 'navigator', 'removeEventListener',
  'requestAnimationFrame', 'queueMicrotask', 'requestIdleCallback', 'scrollTo', 'sessionStorage', 'setInterval', 'setTimeout',
];

// All modules become one script, in which an exported name hides the browser's own of that name.
const own = `[id.name=/^(${browser.join('|')})$/]`;
const hiding = `ExportNamedDeclaration > :matches(FunctionDeclaration, ClassDeclaration)${own}, ExportNamedDeclaration > VariableDeclaration > VariableDeclarator${own}`;

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: Object.fromEntries(browser.map((name) => [name, 'readonly'])) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-restricted-properties': ['error', ...html.map((property) => ({ property, message: 'Text becomes text nodes, never HTML.' }))],
      'no-restricted-syntax': ['error', { selector: hiding, message: 'This name is the browser’s own.' }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-shadow': ['error', { hoist: 'functions' }],
      complexity: ['error', 18],
      'max-lines': ['error', 400],
    },
  },
];
