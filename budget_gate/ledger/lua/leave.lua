-- Leave the queue: forget the waiter ARGV[3]. KEYS[7] is its hash. Answers {'left'}.

forget_waiter(ARGV[3])
return {'left'}
