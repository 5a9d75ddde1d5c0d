/** What the page at `/docs` does in a browser: Swagger UI on the description next to it. Made plain by esbuild, not bundled. */

interface Answer {
  readonly ok: boolean;
  readonly body?: unknown;
}
interface Viewer {
  preauthorizeApiKey(scheme: string, key: string): void;
}

declare const SwaggerUIBundle: (options: object) => Viewer;

{
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const followScheme = () => void document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', followScheme);
  followScheme();

  /** What those who cannot see the page, or use no mouse, miss in the viewer. */
  const MISSING = [
    ['.information-container', 'role', 'region'],
    ['.information-container', 'aria-label', 'About'],
    ['h3.opblock-tag, .modal-ux-header h3', 'aria-level', '2'],
    ['.opblock h4, .modal-ux h4', 'aria-level', '3'],
    ['.opblock h5, .modal-ux h6', 'aria-level', '4'],
    ['.models > h4', 'aria-level', '2'],
    ['.modal-ux', 'role', 'dialog'],
    ['.modal-ux', 'aria-label', 'Authorizations'],
    ['.responses-table', 'role', 'table'],
    ['.close-modal', 'aria-label', 'Close'],
    ['button[aria-label="Remove authorization"]', 'aria-label', 'Logout'],
    ['.body-param textarea', 'aria-label', 'Body of the request'],
    ['.parameters select', 'aria-label', 'Value of the parameter'],
    ['.content-type-wrapper select', 'aria-label', 'Media type'],
    ['.examples-select select', 'aria-label', 'Example'],
    ['pre', 'tabindex', '0'],
  ] as const;
  const complete = () => {
    for (const [selector, name, value] of MISSING) {
      for (const element of document.querySelectorAll(`#reference :is(${selector}):not([${name}="${value}"])`)) {
        element.setAttribute(name, value);
      }
    }
  };
  const reference = document.querySelector('#reference');
  if (reference !== null) new MutationObserver(complete).observe(reference, { childList: true, subtree: true });

  const viewer = SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#reference',
    // It would be asked over the network whether the description is valid.
    validatorUrl: null,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    // Its colours are styles within the page, and too faint to be read.
    syntaxHighlight: false,
    // There is one server, the one that serves this page.
    plugins: [{ wrapComponents: { ServersContainer: () => () => null } }],
    /** A login that was tried out lets in to what is tried out after it. */
    responseInterceptor: (answer: Answer) => {
      if (answer.ok && typeof answer.body === 'object' && answer.body !== null && 'access' in answer.body) {
        const { access } = answer.body;
        if (typeof access === 'string') viewer.preauthorizeApiKey('bearer', access);
      }
      return answer;
    },
  });
}
