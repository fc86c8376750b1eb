-- Answers {'head', sequence number of the newest entry, now}.

return {'head', whole(sequence), whole(NOW)}
