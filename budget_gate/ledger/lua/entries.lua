-- Up to ARGV[4] entries behind sequence number ARGV[3], in order. Answers {'page', {{id, {field, value, ...}}, ...}}.

return {'page', redis.call('XRANGE', ENTRIES, whole(tonumber(ARGV[3]) + 1) .. '-0', '+', 'COUNT', ARGV[4])}
