/** Texts of the forms that packages bring. */
export const hosted = {
  "hosted.title": "Form of {type}, from its package",
  "hosted.types": "Types of packages",
  "hosted.loading": "Opening the package's form…",
  "hosted.broken": "The package's own form cannot be shown: {reason}",
  "hosted.warning": "The package's form reported an error: {reason}",
  "hosted.no-form": "The package has no form for this type.",
  "hosted.no-answer": "It does not answer.",
  "hosted.not-saved": "Nothing was saved: the package's form does not answer.",
  "hosted.name": "Name",
  "hosted.property": "Property",
  "hosted.topic": "Topic",
  "problem.package": "The package says that this is not valid.",
} as const;
