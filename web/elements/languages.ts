/** The language of the nearest `lang`; of none, or one that is none, the browser's. */
export function languageOf(element: Element): string | undefined {
  try {
    return Intl.getCanonicalLocales(element.closest<HTMLElement>("[lang]")?.lang)[0];
  } catch {
    return undefined;
  }
}
