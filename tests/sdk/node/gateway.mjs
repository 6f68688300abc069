// Where the gateway is, what the fakes behind it say, and the tool that callers offer.

export const origin = process.env.GATEWAY_ORIGIN;
export const key = process.env.GATEWAY_KEY;
export const wrongKey = "gw-wrong";

// The models' names are those of the providers; `${name}-limited` is one that has had enough.
export const fakes = ["openai", "compatible", "anthropic", "gemini", "bedrock"];
export const sandbox = "sandbox";
// Those that show their thoughts when they are asked to.
export const thinking = ["anthropic", "gemini", "bedrock"];
// Those that count thoughts apart.
export const reasoningOf = (model) => (model === "bedrock" ? 0 : 3);

export const question = "Say hello.";
export const slowly = "Take your time.";
export const weather = "How is the weather in Paris and in Oslo?";
export const greeting = "Hello there.";
export const briefly = "Be brief.";
export const brief = "Hi.";
export const cutShort = "One two";
export const tightLimit = 16;
export const aside = "Let me look.";
export const report = "Paris has 18 degrees, Oslo 4.";
export const thought = "The caller asks.";
export const cities = [{ city: "Paris" }, { city: "Oslo" }];
export const input = 20;
export const cached = 8;
export const output = 7;

export const tool = {
    name: "get_weather",
    description: "Tells the weather in a city.",
    schema: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
    },
};

export const getWeather = ({ city }) => ({ Paris: "18 degrees", Oslo: "4 degrees" })[city];

// Each model, with an answer in one piece and with a stream.
export const eachWay = (models) => models.flatMap((model) => [false, true].map((stream) => ({ model, stream })));

export const gather = async (stream) => {
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    return pieces;
};

// Every kind of provider, and some more than once; Perplexity's models search, and call nothing.
export const calling = [
    ...["openai", "azure", "azure-classic", "anthropic", "bedrock", "bedrock-invoke", "vertex-claude"],
    ...["gemini", "gemini3", "vertex"],
    ...["cohere", "mistral", "groq", "deepseek", "xai", "together", "fireworks", "openrouter"],
    ...["ollama", "vllm", "huggingface", "compatible"],
];
export const everybody = [...calling, "perplexity"];

export const runes = "Say it in runes.";
export const runic = 'ᚠᛇᚻ 日本語 👩‍👩‍👧 e\u0301\u2028"\\\n\t\u0000end';
export const fail = "Break off.";
export const hangUp = "Hang up.";
export const steps = "Step by step.";
export const long = "Write long arguments.";
export const longCity = "Llanfair-".repeat(8000);
