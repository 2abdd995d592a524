"""Events from message queues: Redis Streams, RabbitMQ, NATS JetStream, Kafka; acknowledged only after the commit."""
