/** The request parameters of all dialects (contract 1.1, 2.3, 3.2): what clients may send, and so what may become a label. */
const knownParameters: ReadonlySet<string> = new Set(
  `audio background betas cache_control chat_template_kwargs container context_management conversation detail echo
  enable_thinking extra_body frequency_penalty function_call functions include inference_geo instructions logit_bias logprobs max_completion_tokens
  max_output_tokens max_tokens mcp_servers messages metadata min_p modalities model moderation n output_config output_format parallel_tool_calls
  prediction presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning reasoning_effort
  repetition_penalty response_format safety_identifier seed service_tier speed stop stop_sequences store stream_options suffix temperature text
  think_tags_mode thinking tool_choice tools top_k top_logprobs top_p truncation user verbosity web_search_options`.split(
    /\s+/,
  ),
);

/** A field path as a label: its first name where that is a known one, else `other`, as clients may send any. */
export function parameterLabel(field: string): string {
  const [name = ''] = /^\w+/.exec(field) ?? [];
  return knownParameters.has(name) ? name : 'other';
}
