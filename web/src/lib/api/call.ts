// What each endpoint is asked and what it answers, by its path. All of it is read from larder's own document
// of the API (schema.ts, made by `npm run types`): a field that is not in there cannot be used.
import type { components, paths } from "./schema.ts";

/** A shape that has a name in the document. */
export type Shape<Name extends keyof components["schemas"]> = components["schemas"][Name];

type Method = "get" | "post";
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

/** The endpoints, as roles name them. */
export type Endpoint = keyof paths;

/** The endpoints that know a method. */
export type With<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];

/** What an endpoint answers with JSON. */
export type Answer<P extends keyof paths, M extends Method = P extends With<"get"> ? "get" : "post"> =
  Operation<P, M> extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;

/** What may be asked in the address. */
export type Query<P extends With<"get">> =
  Operation<P, "get"> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;

type Content<P extends With<"post">> =
  Operation<P, "post"> extends { requestBody?: infer B } ? NonNullable<B> : never;
type BodyIn<C, Type extends string> = C extends { content: Record<Type, infer B> } ? B : never;

/** What is sent as JSON; an empty object where nothing is. */
export type Body<P extends With<"post">> = [Content<P>] extends [never]
  ? Record<string, never>
  : BodyIn<Content<P>, "application/json">;

/** What is sent as the fields of a form. */
export type Form<P extends With<"post">> = BodyIn<Content<P>, "multipart/form-data">;
