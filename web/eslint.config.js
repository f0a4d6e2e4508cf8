// The laws of the client's code, as far as a program can hold them.
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["accounts", "workspaces", "channels", "messages", "notifications", "presence", "reads"];

/** Import zone: files under `files` may not import what `patterns` name. */
function zone(files, patterns) {
  return {
    files,
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
}

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.gen.ts"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, reactHooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "max-lines": ["error", { max: 400 }],
    },
  },
  zone(
    ["src/ui/**/*.{ts,tsx}", "src/lib/**/*.{ts,tsx}", "src/i18n/**/*.{ts,tsx}"],
    [
      {
        regex: "/(api|state|features)(/|$)",
        message: "Widgets and helpers know neither the API nor the state.",
      },
    ],
  ),
  zone(
    ["src/api/**/*.{ts,tsx}"],
    [{ regex: "/(state|features|ui)(/|$)", message: "The API layer knows nothing above it." }],
  ),
  zone(
    ["src/state/**/*.{ts,tsx}"],
    [{ regex: "/(features|ui)(/|$)", message: "State knows no components." }],
  ),
  ...features.map((feature) =>
    zone(
      [`src/features/${feature}/**/*.{ts,tsx}`],
      [
        {
          regex: `(^\\.\\./|/features/)(${features.filter((other) => other !== feature).join("|")})(/|$)`,
          message:
            "A feature does not import another: put what they share into state/ or ui/, or join them in src/app/.",
        },
      ],
    ),
  ),
);
