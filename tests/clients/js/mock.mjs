// The mock that every suite talks to: run.py started it, and says where.
export const url = process.env.MOCK_URL;

export async function admin(method, path, body) {
  const answer = await fetch(`${url}/__admin${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

/** The requests to this path, in order of arrival. */
export async function requests(path) {
  return (await admin("GET", "/requests")).requests.filter((one) => one.path === path);
}

export const SKY = "The sky is blue because of Rayleigh scattering.";
export const RAIN = "雨 (ame) ☔ 😀";
export const ask = (content) => [{ role: "user", content }];

export const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tells the weather.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

export async function collected(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}
