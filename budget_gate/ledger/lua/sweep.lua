-- Turn up to ARGV[3] expired reservations into holds. Answers {'swept', how many}.

return {'swept', expire(tonumber(ARGV[3]))}
