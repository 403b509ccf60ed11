// Makes a message with the generated client and reads it, by itself and in a list.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const health = await client.GET("/api/health");
assert.equal(health.data?.status, "ok");
const body = { message_type: "Text", content: "from TypeScript", recipient: "group_2" } as const;
const made = await client.POST("/api/messages", { body });
assert.equal(made.response.status, 201);
const id: string = made.data!.id;
const read = await client.GET("/api/messages/{id}", { params: { path: { id } } });
assert.equal(read.data?.content, "from TypeScript");
const second = await client.POST("/api/messages", { body });
const query = { conversation: "group_2", before: second.data!.id };
const page = await client.GET("/api/messages", { params: { query } });
assert.deepEqual(page.data?.messages.map((message) => message.id), [id]);
const wrong = await client.GET("/api/messages", { params: { query: { before: id.replace(/[0-9a-f]/g, "0") } } });
assert.equal(wrong.response.status, 400);
assert.equal(typeof wrong.error?.error, "string");
